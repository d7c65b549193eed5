#include "daemon/setting.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "daemon/escape.h"
#include "storage/model/duration.h"

namespace dl {
namespace {

Error wrong(const std::string& why) { return {Errc::usage, why}; }

Result<int> parse_int(const std::string& text, int least, int most) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, trouble] = std::from_chars(text.data(), end, number);
  if (trouble != std::errc{} || rest != end || number < least || number > most) {
    return wrong(in_quotes(text) + " must be a whole number from " + std::to_string(least) +
                 " to " + std::to_string(most));
  }
  return number;
}

// Each kind of field below is a pair of functions over one member of Config.

template <std::string Config::*member>
struct Text {
  static Status set(Config& config, const std::string& text) {
    if (text.find('\0') != std::string::npos) return wrong("must not contain a NUL character");
    config.*member = text;
    return Done{};
  }
  static std::string show(const Config& config) {
    return (config.*member).empty() ? "" : in_quotes(config.*member);
  }
};

template <int Config::*member, int least, int most>
struct Number {
  static Status set(Config& config, const std::string& text) {
    const Result<int> number = parse_int(text, least, most);
    if (!number) return number.error();
    config.*member = *number;
    return Done{};
  }
  static std::string show(const Config& config) { return std::to_string(config.*member); }
};

template <Millis Config::*member, Millis least>
struct Duration {
  static Status set(Config& config, const std::string& text) {
    const Result<Millis> span = parse_duration(text);
    if (!span) return span.error();
    if (*span < least)
      return wrong(in_quotes(text) + " must be at least " + format_duration(least));
    config.*member = *span;
    return Done{};
  }
  static std::string show(const Config& config) {
    return in_quotes(format_duration(config.*member));
  }
};

template <bool Config::*member>
struct Switch {
  static Status set(Config& config, const std::string& text) {
    if (text != "true" && text != "false") return wrong(in_quotes(text) + " must be true or false");
    config.*member = text == "true";
    return Done{};
  }
  static std::string show(const Config& config) { return config.*member ? "true" : "false"; }
};

// `choices`: an array of Named.
template <auto member, const auto& choices>
struct Choice {
  static Status set(Config& config, const std::string& text) {
    const auto value = value_in(choices, text);
    if (!value) {
      std::string all;
      for (const auto& choice : choices)
        all += (all.empty() ? "" : ", ") + std::string(choice.name);
      return wrong(in_quotes(text) + " must be one of " + all);
    }
    config.*member = *value;
    return Done{};
  }
  static std::string show(const Config& config) {
    return in_quotes(name_in(choices, config.*member));
  }
};

constexpr auto kLogFormats = std::to_array<Named<LogFormat>>({
    {LogFormat::automatic, "auto"},
    {LogFormat::text, "text"},
    {LogFormat::json, "json"},
    {LogFormat::journal, "journal"},
});
constexpr auto kProgressStyles = std::to_array<Named<ProgressStyle>>({
    {ProgressStyle::automatic, "auto"},
    {ProgressStyle::plain, "plain"},
    {ProgressStyle::none, "none"},
});

struct Db {
  static Status set(Config& config, const std::string& text) {
    if (text.empty()) return wrong("must name a file");
    return Text<&Config::db>::set(config, text);
  }
  static std::string show(const Config& config) { return Text<&Config::db>::show(config); }
};

struct EndpointUrl {
  static Status set(Config& config, const std::string& text) {
    Result<Endpoint> endpoint = parse_endpoint(text);
    if (!endpoint) return wrong(endpoint.error().message);
    config.endpoint = *endpoint;
    return Done{};
  }
  static std::string show(const Config& config) {
    return config.endpoint ? in_quotes(config.endpoint->text()) : "";
  }
};

struct RateLimit {
  static Status set(Config& config, const std::string& text) {
    Result<std::vector<Tier>> tiers = parse_rate_spec(text);
    if (!tiers) return tiers.error();
    config.rate_limit = *tiers;
    return Done{};
  }
  static std::string show(const Config& config) {
    return in_quotes(format_rate_spec(config.rate_limit));
  }
};

template <std::vector<int> Config::*member>
struct StatusList {
  static Status set(Config& config, const std::string& text) {
    std::vector<int> statuses;
    for (std::size_t begin = 0; begin <= text.size() && !text.empty();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const Result<int> status = parse_int(text.substr(begin, end - begin), 400, 599);
      if (!status)
        return wrong(in_quotes(text) + " must be HTTP statuses from 400 to 599, such as 423,500");
      // Their meaning is fixed: they pause the account.
      for (const int pausing : {401, 403, 429}) {
        if (*status == pausing)
          return wrong(std::to_string(pausing) + " always pauses the account");
      }
      statuses.push_back(*status);
      begin = end + 1;
    }
    config.*member = statuses;
    return Done{};
  }
  static std::string show(const Config& config) {
    std::string list;
    for (const int status : config.*member) {
      list += (list.empty() ? "" : ",") + std::to_string(status);
    }
    return in_quotes(list);
  }
};

template <class Field>
constexpr Setting row(std::string_view key, std::string_view group, std::string_view value,
                      std::string_view help) {
  return {key, group, value, help, &Field::set, &Field::show};
}

constexpr std::string_view kWhere = "Where";
constexpr std::string_view kPace = "How fast";
constexpr std::string_view kAgain = "What is tried again";
constexpr std::string_view kDoubt = "When nobody knows whether a submission was applied";
constexpr std::string_view kPatience = "How long to wait";
constexpr std::string_view kRun = "How it runs";
constexpr std::string_view kTalk = "What it says";

constexpr Setting kSettings[] = {
    row<Db>("db", kWhere, "FILE", "the database; made where it is missing"),
    row<EndpointUrl>("endpoint", kWhere, "URL",
                     "the DSP: http://HOST[:PORT][/BASE] or https://...; the one setting\n"
                     "that has no default"),
    row<Text<&Config::token_file>>("token_file", kWhere, "FILE",
                                   "holds the DSP's bearer token; without it the systemd\n"
                                   "credential dsp-token, else no token is sent"),
    row<Switch<&Config::allow_token_over_http>>(
        "allow_token_over_http", kWhere, "",
        "send the token in clear text where the endpoint is http:// on\n"
        "another machine; without it that is an error"),
    row<Text<&Config::ca_file>>("ca_file", kWhere, "FILE",
                                "certificates (PEM) to trust instead of the system's"),
    row<RateLimit>("rate_limit", kPace, "LIMIT",
                   "requests the DSP may count, COUNT/WINDOW, such as 40/60s or\n"
                   "10/1s,40/60s (all hold at once), or none"),
    row<Number<&Config::burst, 0, kMaxTierCount>>(
        "burst", kPace, "N", "requests that may leave at once; 0: a quarter of the limit"),
    row<Number<&Config::headroom, 0, kMaxTierCount>>(
        "headroom", kPace, "N", "requests per window, of the slowest limit, left to people"),
    row<Switch<&Config::strict>>(
        "strict", kPace, "",
        "space requests by WINDOW/COUNT after each answer, for a DSP that\n"
        "allows no burst at all; costs a tenth of the rate and more"),
    row<Number<&Config::workers, 1, 64>>("workers", kPace, "N", "threads that speak HTTP"),
    row<Number<&Config::in_flight, 1, 1'024>>("in_flight", kPace, "N",
                                              "requests on the wire at once, all threads together"),
    row<Number<&Config::connections_per_worker, 1, 1'024>>(
        "connections_per_worker", kPace, "N",
        "plain connections of one thread before the next gets any; a\n"
        "thread serves more than the database commits (TLS is spread)"),
    row<Number<&Config::max_retries, 0, 1'000>>(
        "max_retries", kAgain, "N", "creations of an entity after its first was refused or failed"),
    row<StatusList<&Config::retryable_status>>(
        "retryable_status", kAgain, "LIST",
        "further HTTP statuses by which this DSP says \"not applied,\n"
        "try again\", such as 423,500"),
    row<StatusList<&Config::not_applied_status>>(
        "not_applied_status", kAgain, "LIST",
        "HTTP statuses by which this DSP says \"not applied, slow down\",\n"
        "such as 503: as 429, all wait and no attempt is spent"),
    row<Choice<&Config::missing_id, kMissingIds>>(
        "missing_id", kAgain, "in_doubt|refused",
        "what a 2xx answer to a submission without an id means"),
    row<Choice<&Config::unknown_outcome, kUnknownOutcomes>>(
        "unknown_outcome", kDoubt, "hold|resubmit|lookup",
        "hold: an operator decides; resubmit: the DSP honours\n"
        "Idempotency-Key, send the same again; lookup: ask the DSP by key"),
    row<Duration<&Config::settle_ms, 0>>(
        "settle", kDoubt, "TIME",
        "at least twice the longest time from a request's arrival\n"
        "until the DSP has applied it and a lookup shows it"),
    row<Duration<&Config::key_lifetime_ms, 1>>("key_lifetime", kDoubt, "TIME",
                                               "how long the DSP remembers an Idempotency-Key"),
    row<Duration<&Config::confirm_timeout_ms, 1>>(
        "confirm_timeout", kDoubt, "TIME",
        "undecided for so long, an entity is overdue and asked about rarely"),
    row<Duration<&Config::connect_timeout_ms, 1>>("connect_timeout", kPatience, "TIME",
                                                  "to resolve, connect and agree on TLS"),
    row<Duration<&Config::http_timeout_ms, 1>>(
        "http_timeout", kPatience, "TIME",
        "from the first byte of a request to the last of its answer"),
    row<Duration<&Config::late_arrival_ms, 0>>(
        "late_arrival", kPatience, "TIME",
        "how late the DSP may still count a request we gave up on"),
    row<Duration<&Config::unreachable_timeout_ms, 1>>(
        "unreachable_timeout", kPatience, "TIME",
        "with --drain: no server reached for so long ends with 69"),
    row<Switch<&Config::drain>>("drain", kRun, "", "end when nothing is left that could be sent"),
    row<Switch<&Config::standby>>(
        "standby", kRun, "", "wait for another daemon on this database to end, then take over"),
    row<Switch<&Config::hold>>("hold", kRun, "",
                               "send nothing until an operator inserts the act resume"),
    row<Choice<&Config::log_level, kLogLevels>>(
        "log_level", kTalk, "debug|info|warning|error",
        "the least that is logged; debug: also connections, what is\n"
        "sent and loaded, pauses, and permits that were refused"),
    row<Choice<&Config::log_format, kLogFormats>>(
        "log_format", kTalk, "auto|text|json|journal",
        "of the log on stderr; auto: journal under journald, else text"),
    row<Choice<&Config::progress, kProgressStyles>>(
        "progress", kTalk, "auto|plain|none",
        "a live line on stderr; auto: plain on a terminal, else none"),
};

}  // namespace

std::string Setting::flag() const {
  std::string name = "--" + std::string(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string Setting::variable() const {
  std::string name = "DL_" + std::string(key);
  for (char& letter : name)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return name;
}

std::span<const Setting> settings() { return kSettings; }

}  // namespace dl
