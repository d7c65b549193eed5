# Four small charts from the files that curves.sh leaves in the present folder: x, entities/s, CPU us an entity.
set terminal svg size 960,640 font "sans-serif,12" background "white"
set output output
set multiplot layout 2,2 title "dl-daemon: throughput (left, blue) and CPU an entity (right, orange)"
set grid lc rgb "#dddddd"
set border lc rgb "#666666"
set ytics nomirror
set y2tics
set yrange [0:*]
set y2range [0:*]
set ylabel "entities/s"
set y2label "CPU us/entity"
unset key
set style line 1 lc rgb "#1f5fa8" lw 2 pt 7 ps 0.6
set style line 2 lc rgb "#d9822b" lw 2 pt 5 ps 0.5

set logscale x 2
set xlabel "requests in flight"
plot "in_flight.dat" using 1:2 with linespoints ls 1, "" using 1:3 axes x1y2 with linespoints ls 2
unset logscale x
set xlabel "workers (128 in flight)"
plot "workers.dat" using 1:2 with linespoints ls 1, "" using 1:3 axes x1y2 with linespoints ls 2
set logscale x 10
set xlabel "payload, bytes"
plot "payload.dat" using 1:2 with linespoints ls 1, "" using 1:3 axes x1y2 with linespoints ls 2
set format x "10^{%L}"
set xlabel "jobs in the table, with their ledger"
plot "table.dat" using 1:2 with linespoints ls 1, "" using 1:3 axes x1y2 with linespoints ls 2
unset multiplot
