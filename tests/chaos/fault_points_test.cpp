// The fault points are real: each name of the table is reached by a program at work.
#include "storage/fault/fault_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>
#include <sstream>

#include "tests/e2e/site.h"

namespace dl::chaos {
namespace {

using e2e::Flags;
using e2e::Site;

const Flags kByKey = {"--rate-limit", "none", "--unknown-outcome", "resubmit"};

class Coverage {
 public:
  explicit Coverage(std::string trace) : trace_(std::move(trace)) {}
  Launch traced(Launch launch, const std::string& fault = "") const {
    launch.environment["DL_FAULT"] = "trace:" + trace_ + (fault.empty() ? "" : "," + fault);
    return launch;
  }
  std::set<std::string> reached() const {
    std::set<std::string> names;
    std::istringstream lines(text_of(trace_));
    for (std::string line; std::getline(lines, line);) names.insert(line);
    return names;
  }
  bool has_reached(const std::string& name) const { return reached().contains(name); }

 private:
  std::string trace_;
};

Launch ingest_of(const Site& site, const std::string& sheet) {
  return {.program = "dl-ingest",
          .arguments = {"--db", site.db(), sheet},
          .environment = {},
          .errors_to = ErrorsTo::file};
}

std::string make_sheet(const Site& site, const std::string& name, const Flags& shape) {
  const std::string path = site.file(name);
  EXPECT_EQ(run(Launch{.program = "dl-make-sheet",
                       .arguments = e2e::joined({"-o", path}, shape),
                       .environment = {},
                       .errors_to = ErrorsTo::file})
                .exit_code,
            0);
  return path;
}

// A TLS handshake and nothing more: openssl's own server with a certificate of the test's own, for
// a database of its own.
void shake_hands(const Coverage& coverage) {
  const Site site;
  site.load_sheet(e2e::shape(1, 1, 1));
  const std::string key = site.file("key.pem");
  const std::string certificate = site.file("certificate.pem");
  const Finish made = run(
      Launch{.program = "openssl",
             .arguments = {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                           "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"},
             .environment = {},
             .errors_to = ErrorsTo::file});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  Process server(Launch{.program = "openssl",
                        .arguments = {"s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert",
                                      certificate, "-www"},
                        .environment = {},
                        .errors_to = ErrorsTo::file});
  const std::string kAccepts = "ACCEPT 127.0.0.1:";
  eventually("the TLS server listens",
             [&] { return server.out().find(kAccepts) != std::string::npos; });
  const std::string out = server.out();
  const std::string port = out.substr(out.find(kAccepts) + kAccepts.size());
  Launch launch = site.daemon(e2e::joined({"--ca-file", certificate}, kByKey));
  launch.environment["DL_ENDPOINT"] = "https://127.0.0.1:" + std::to_string(std::stoi(port));
  Process daemon(coverage.traced(launch));
  eventually("hands are shaken", [&] { return coverage.has_reached("net.tls_done"); });
}

void archive_years_of_work(const Site& site, const Coverage& coverage) {
  const std::string years = site.file("years.db");
  EXPECT_EQ(run(Launch{.program = "dl-make-table",
                       .arguments = {"--db", years, "--jobs", "555", "--batch-jobs", "222",
                                     "--live", "111"},
                       .environment = {},
                       .errors_to = ErrorsTo::file})
                .exit_code,
            0);
  EXPECT_EQ(
      run(coverage.traced(Launch{.program = "dl-ingest",
                                 .arguments = {"--db", years, "archive", "--older-than", "180d"},
                                 .environment = {},
                                 .errors_to = ErrorsTo::file}))
          .exit_code,
      0);
}

TEST(FaultPoints, AreAllReachedByProgramsAtWork) {
  const Site site(
      {"--faults", "post.lost_answer:@2,post.cut_body:@4,post.429:@6:1s,post.late_apply:@8:2s"});
  const Coverage coverage(site.file("reached"));
  const std::string small = make_sheet(site, "small.csv", e2e::shape(3, 2, 2));
  const std::string big = make_sheet(site, "big.csv", e2e::shape(30, 5, 20));
  // A loader that dies leaves an orphan, which the next one removes.
  EXPECT_EQ(run(coverage.traced(ingest_of(site, small), "publish.before_commit:1:kill")).exit_code,
            128 + SIGKILL);
  EXPECT_EQ(run(coverage.traced(ingest_of(site, small))).exit_code, 0);
  const Finish drain = run(coverage.traced(site.daemon(e2e::joined({"--drain"}, kByKey))));
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  // A big sheet that is loaded beside it makes the WAL long, and its next commit moves it.
  Process daemon(coverage.traced(site.daemon(kByKey)));
  EXPECT_EQ(run(coverage.traced(ingest_of(site, big))).exit_code, 0);
  eventually("it moves the WAL", [&] { return coverage.has_reached("checkpoint.after"); });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  shake_hands(coverage);
  archive_years_of_work(site, coverage);
  const std::set<std::string> reached = coverage.reached();
  for (const std::string_view name : fault::kNames)
    EXPECT_TRUE(reached.contains(std::string(name))) << name;
}

TEST(FaultPoints, RefuseASpecificationThatTheyCannotRead) {
  const Site site;
  for (const std::string wrong :
       {"send.heder:kill", "send.header", "send.header:0x:kill", "send.header:kill it",
        "send.header:delay", "send.header:nomem", "alloc.new:eio", "vfs.write:1:step=soon"}) {
    Launch launch = site.daemon(kByKey);
    launch.environment["DL_FAULT"] = wrong;
    const Finish finish = run(launch);
    EXPECT_EQ(finish.exit_code, 64) << wrong;
    EXPECT_NE(finish.err.find("DL_FAULT"), std::string::npos) << wrong;
  }
}

}  // namespace
}  // namespace dl::chaos
