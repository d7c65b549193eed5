# dl_embed_sql(TARGET OUTPUT_HEADER NAMESPACE FILES...): makes a header with one
# `inline constexpr std::string_view` per .sql file, named after the file (0001_tables.sql -> k_0001_tables),
# and a sorted table `kAll` of {name, text}. The SQL stays in files that operators and tests can read.
function(dl_embed_sql target header namespace)
  set(output ${CMAKE_BINARY_DIR}/generated/${header})
  list(SORT ARGN)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DNAMESPACE=${namespace} "-DFILES=${ARGN}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_sql_script.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed_sql_script.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/generated)
endfunction()
