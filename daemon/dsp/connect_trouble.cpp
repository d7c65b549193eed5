#include "daemon/dsp/connect_trouble.h"

#include <cerrno>

namespace dl {

ConnectTrouble connect_trouble_of(int system_error) {
  switch (system_error) {
    case EMFILE:
    case ENFILE: return ConnectTrouble::open_files;
    case ENOBUFS:
    case ENOMEM: return ConnectTrouble::memory;
    case EADDRNOTAVAIL: return ConnectTrouble::ports;
    default: return ConnectTrouble::dsp;
  }
}

std::string advice_on(ConnectTrouble trouble) {
  switch (trouble) {
    case ConnectTrouble::open_files:
      return " (EMFILE: no file descriptor is free); raise the limit of open files (ulimit -n, or "
             "LimitNOFILE= of the unit) "
             "or lower --in-flight";
    case ConnectTrouble::memory:
      return " (ENOBUFS, ENOMEM: this machine has no memory for another connection); raise "
             "MemoryMax= of the unit or "
             "net.ipv4.tcp_mem, or lower --in-flight";
    case ConnectTrouble::ports:
      return " (EADDRNOTAVAIL: this machine has no port or no address to connect from); widen "
             "net.ipv4.ip_local_port_range, "
             "lower --in-flight, or see whether it has an address of the DSP's family";
    case ConnectTrouble::dsp:
    case ConnectTrouble::credentials: break;
  }
  return "";
}

}  // namespace dl
