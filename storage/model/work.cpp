#include "storage/model/work.h"

namespace dl {

std::string_view name_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::create: return "create";
    case Purpose::resubmit: return "resubmit";
    case Purpose::status: return "status";
    case Purpose::lookup: return "lookup";
  }
  return "?";
}

std::string_view name_of(SlotEnd end) {
  switch (end) {
    case SlotEnd::answered: return "answered";
    case SlotEnd::unsure: return "unsure";
    case SlotEnd::not_sent: return "not_sent";
  }
  return "?";
}

}  // namespace dl
