#include "tests/mock_dsp/flags.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace dl::mock {
namespace {

constexpr const char* kAbout =
    "A demand-side platform to test against: campaigns, ad groups and ads over HTTP, in memory, "
    "with\n"
    "a ledger of every request. It ends at SIGTERM or SIGINT.\n\n"
    "  dl-mock-dsp --limit 40/60s --processing uniform:2s:5s --ledger dsp.jsonl\n"
    "  dl-mock-dsp --limit 40/60s --time-scale 60          an hour of a limited run in a minute\n"
    "  dl-mock-dsp --faults lost_answer:0.02,503:0.01      trouble, the same for each --seed\n"
    "  dl-mock-dsp --faults post.lost_answer:@3            the third POST loses its answer\n"
    "  dl-mock-dsp judge dsp.jsonl --limit 40/60s --expect 23\n";

std::string footer() {
  return "Faults: --faults ITEM,ITEM,... with ITEM = [post.|get.]NAME:P[:D]; P a probability, or "
         "@N\n"
         "for exactly the N-th request it could hit; D a duration on the mock's clock.\n" +
         std::string(kFaultHelp) + "\n\nProcessing: " + std::string(kProcessingForms) +
         "\n\nExit codes: 0 done; 1 the judge found fault; 64 bad flags; 65 the ledger is "
         "damaged;\n"
         "66 no ledger; 69 the address cannot be listened on; 73/74 a file cannot be made or "
         "written.";
}

// As CLI11 takes them: text that is parsed in one place afterwards.
struct Typed {
  ServeFlags serve;
  std::string limit = "none", processing = "zero", faults;
  bool count_refused = false;
  std::string idempotency = "on", lookup = "on", ids = "unique";
  std::string judged_ledger, judged_limit = "none";
  std::optional<std::int64_t> expect;
};

void declare_serve(CLI::App& app, Typed& typed) {
  app.add_option("--listen", typed.serve.listen, "ADDR:PORT; port 0 is a free one (127.0.0.1:0)");
  app.add_option("--port-file", typed.serve.port_file,
                 "write the port to this file once it is bound");
  app.add_option("--limit", typed.limit,
                 "COUNT/WINDOW[,...] such as 40/60s,10/1s; else 429 (none)");
  app.add_flag("--count-refused", typed.count_refused,
               "requests answered 429 by the limit count too");
  app.add_option("--processing", typed.processing,
                 "how long a status is pending (zero); see below");
  app.add_option("--time-scale", typed.serve.time_scale, "the mock's clock runs K times faster (1)")
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--idempotency", typed.idempotency, "honour Idempotency-Key (on)")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--lookup", typed.lookup, "GET /KIND?external_id=KEY (on)")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--ids", typed.ids, "echo answers the caller's own ids (unique)")
      ->check(CLI::IsMember({"unique", "echo"}));
  app.add_option("--token", typed.serve.dsp.token,
                 "who does not bear this token is answered 401 (none)");
  app.add_option("--faults", typed.faults, "what goes wrong, and how often; see below");
  app.add_option("--seed", typed.serve.dsp.seed, "of faults and processing times (1)");
  app.add_option("--ledger", typed.serve.ledger, "append one JSON line a request to this file");
}

CLI::App* declare_judge(CLI::App& app, Typed& typed) {
  CLI::App* const judge =
      app.add_subcommand("judge", "read a ledger; exit 1 if promises were broken");
  judge->add_option("LEDGER", typed.judged_ledger, "the file of --ledger")->required();
  judge->add_option("--limit", typed.judged_limit,
                    "the most arrivals in any window may not be above");
  judge->add_option("--expect", typed.expect, "how many entities must exist in the end");
  return judge;
}

Finished refused(const Error& error) {
  std::cerr << "dl-mock-dsp: " << error.message << "\n";
  return {static_cast<int>(error.code)};
}

Flags serve_flags(Typed& typed, int argc, char** argv) {
  ServeFlags flags = std::move(typed.serve);
  Result<std::vector<Tier>> limit = parse_rate_spec(typed.limit);
  if (!limit) return refused({Errc::usage, "--limit: " + limit.error().message});
  const Result<Processing> processing = parse_processing(typed.processing);
  if (!processing) return refused(processing.error());
  Result<std::vector<Fault>> faults = parse_faults(typed.faults);
  if (!faults) return refused(faults.error());
  flags.dsp.limit = std::move(*limit);
  flags.dsp.processing = *processing;
  flags.dsp.faults = std::move(*faults);
  flags.dsp.refused = typed.count_refused ? Refused::counted : Refused::not_counted;
  flags.dsp.idempotency = typed.idempotency == "on" ? Switch::on : Switch::off;
  flags.dsp.lookup = typed.lookup == "on" ? Switch::on : Switch::off;
  flags.dsp.ids = typed.ids == "echo" ? IdStyle::echo : IdStyle::unique;
  for (int i = 1; i < argc; ++i) flags.as_typed += (i > 1 ? " " : "") + std::string(argv[i]);
  return flags;
}

}  // namespace

Flags parse_flags(int argc, char** argv) {
  Typed typed;
  CLI::App app(kAbout, "dl-mock-dsp");
  app.footer(footer());
  declare_serve(app, typed);
  const CLI::App* const judge = declare_judge(app, typed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_help = app.exit(error) == 0;
    return Finished{is_help ? 0 : static_cast<int>(Errc::usage)};
  }
  if (!judge->parsed()) return serve_flags(typed, argc, argv);
  Result<std::vector<Tier>> limit = parse_rate_spec(typed.judged_limit);
  if (!limit) return refused({Errc::usage, "--limit: " + limit.error().message});
  return JudgeFlags{typed.judged_ledger, std::move(*limit), typed.expect};
}

}  // namespace dl::mock
