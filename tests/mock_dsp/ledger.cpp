#include "tests/mock_dsp/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "tests/mock_dsp/json_object.h"

namespace dl::mock {
namespace {

// Appends fields to an object that was begun with '{'.
class Fields {
 public:
  explicit Fields(std::string& out) : out_(out) {}

  void text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(out_, value);
  }
  void number(std::string_view name, std::int64_t value) {
    begin(name);
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void truth(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
  }
  // Milliseconds with exactly three decimals.
  void millis(std::string_view name, Micros us) {
    number(name, us / 1'000);
    const auto rest = static_cast<int>(us % 1'000);
    const char decimals[] = {'.', static_cast<char>('0' + rest / 100),
                             static_cast<char>('0' + rest / 10 % 10),
                             static_cast<char>('0' + rest % 10)};
    out_.append(decimals, sizeof decimals);
  }
  void null(std::string_view name) {
    begin(name);
    out_ += "null";
  }

 private:
  void begin(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_.append(1, '"').append(name).append("\":");
  }
  std::string& out_;
};

void creation_fields(Fields& fields, const LedgerEntry& entry) {
  fields.text("kind", entry.kind);
  fields.text("entity", entry.entity);
  fields.text("parent", entry.parent);
  fields.text("key", entry.key);
  fields.text("external_id", entry.external_id);
  fields.truth("created", entry.created);
  fields.truth("fails", entry.fails);
  fields.millis("processing_ms", entry.processing_us);
  fields.text("dsp_id", entry.dsp_id);
  fields.text("note", entry.note);
}

}  // namespace

void LedgerEntry::add_note(std::string_view text) {
  if (!note.empty()) note += ',';
  note += text;
}

Result<Ledger> Ledger::open(const std::string& path) {
  if (path.empty()) return Ledger(-1, path);
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) {
    return Error{Errc::cant_create, "ledger " + path + ": " + std::strerror(errno)};
  }
  return Ledger(file, path);
}

Ledger::~Ledger() {
  if (file_ >= 0) ::close(file_);
}

Ledger::Ledger(Ledger&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      path_(std::move(other.path_)),
      pending_(std::move(other.pending_)) {}

void Ledger::started(double time_scale, const std::string& limit, const std::string& flags) {
  char number[32];
  const auto end = std::to_chars(number, number + sizeof number, time_scale).ptr;
  pending_ += "{\"event\":\"started\",\"time_scale\":";
  pending_.append(number, end);
  Fields fields(pending_);
  fields.text("limit", limit);
  fields.text("flags", flags);
  pending_ += "}\n";
}

void Ledger::request(const LedgerEntry& entry) {
  if (file_ < 0) return;
  pending_ += '{';
  Fields fields(pending_);
  fields.number("seq", entry.seq);
  fields.millis("arrival_ms", entry.at.real_us);
  fields.millis("arrival_scaled_ms", entry.at.scaled_us);
  fields.text("method", entry.method);
  fields.text("path", entry.path);
  fields.number("status", entry.status);
  creation_fields(fields, entry);
  fields.text("answer", entry.answer);
  fields.number("connection", entry.connection);
  fields.number("request_on_connection", entry.request_on_connection);
  if (entry.answered_real_us) {
    fields.millis("answered_ms", *entry.answered_real_us);
  } else {
    fields.null("answered_ms");
  }
  pending_ += "}\n";
}

void Ledger::applied_late(const LedgerEntry& entry) {
  if (file_ < 0) return;
  pending_ += "{\"event\":\"applied_late\"";
  Fields fields(pending_);
  fields.number("seq", entry.seq);
  fields.millis("applied_ms", entry.at.real_us);
  fields.millis("applied_scaled_ms", entry.at.scaled_us);
  creation_fields(fields, entry);
  pending_ += "}\n";
}

Status Ledger::flush() {
  std::string_view rest = pending_;
  while (file_ >= 0 && !rest.empty()) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{Errc::io, "ledger " + path_ + ": " + std::strerror(errno)};
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
  return Done{};
}

}  // namespace dl::mock
