// A DSP that nobody here wrote: the six routes in nginx's own configuration ("plain"), or with the
// bodies read by njs ("js"). The folder with its start script is beside the source tree, or where
// DL_NGINX_DSP says; the tests are skipped where it or nginx is missing.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/e2e/site.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

std::string script() {
  const char* const given = std::getenv("DL_NGINX_DSP");
  const std::string folder = given != nullptr ? given : in_tree("../shared/tools/nginx-dsp");
  return folder + "/dsp.sh";
}

// Free a moment ago. nginx cannot be asked for any free port, so starting is tried again.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  DL_CHECK(::bind(fd, plain, size) == 0 && ::getsockname(fd, plain, &size) == 0,
           "there is a free port");
  ::close(fd);
  return ntohs(address.sin_port);
}

class Nginx {
 public:
  explicit Nginx(const std::string& variant) {
    for (int i = 0; i < 5 && !runs_; ++i) {
      port_ = free_port();
      const Finish start = call("start", variant);
      runs_ = start.exit_code == 0;
      trouble_ = start.err;
    }
  }
  ~Nginx() {
    if (runs_) call("stop");
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  bool runs() const { return runs_; }
  const std::string& trouble() const { return trouble_; }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

  struct Request {
    double arrival_s = 0;
    std::string method, uri, dsp_id, entity;
  };
  // Ends it. What it took down, in order of arrival.
  std::vector<Request> stop() {
    call("stop");
    runs_ = false;
    std::vector<Request> requests;
    std::istringstream log(text_of(folder_.file("access.log")));
    for (std::string line; std::getline(log, line);) {
      std::istringstream fields(line);
      double end_s = 0;
      double took_s = 0;
      std::string status, connection, number;
      Request request;
      fields >> end_s >> took_s >> request.method >> request.uri >> status >> connection >>
          number >> request.dsp_id >> request.entity;
      request.arrival_s = end_s - took_s;
      requests.push_back(std::move(request));
    }
    std::sort(requests.begin(), requests.end(),
              [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; });
    return requests;
  }

 private:
  Finish call(const std::string& verb, const std::string& variant = "plain") const {
    return run(Launch{.program = script(),
                      .arguments = {verb, folder_.path(), variant},
                      .environment = {{"PORT", std::to_string(port_)}},
                      .errors_to = ErrorsTo::file});
  }

  TemporaryFolder folder_;
  int port_ = 0;
  bool runs_ = false;
  std::string trouble_;
};

std::size_t most_within(const std::vector<Nginx::Request>& requests, double span_s) {
  std::size_t most = 0;
  for (std::size_t first = 0, last = 0; last < requests.size(); ++last) {
    while (requests[last].arrival_s - requests[first].arrival_s >= span_s) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

constexpr std::int64_t kEntities = 60;
static_assert(kEntities == entities(4, 2, 6));

struct Run {
  std::string variant, limit;
  std::size_t most = SIZE_MAX;  // arrivals in any window, which takes a second
};

void PrintTo(const Run& run, std::ostream* out) { *out << run.variant << ", limit " << run.limit; }

constexpr const char* kHasJsModule =
    "PATH=$PATH:/usr/sbin; folder=$(nginx -V 2>&1 | grep -o 'modules-path=[^ ]*' | cut -d= -f2); "
    "[ -e \"$folder/ngx_http_js_module.so\" ]";

bool shell_says_yes(const std::string& script) {
  return run(Launch{.program = "sh",
                    .arguments = {"-c", script},
                    .environment = {},
                    .errors_to = ErrorsTo::file})
             .exit_code == 0;
}

class NeutralServer : public testing::TestWithParam<Run> {};

TEST_P(NeutralServer, TakesEveryEntityOnce) {
  if (!std::filesystem::exists(script())) GTEST_SKIP() << "there is no " << script();
  if (!shell_says_yes("PATH=$PATH:/usr/sbin command -v nginx"))
    GTEST_SKIP() << "nginx is not installed";
  if (GetParam().variant == "js" && !shell_says_yes(kHasJsModule)) {
    GTEST_SKIP() << "nginx has no njs module (Debian: libnginx-mod-http-js)";
  }
  Nginx nginx(GetParam().variant);
  ASSERT_TRUE(nginx.runs()) << nginx.trouble();
  const Site site;
  site.load_sheet(shape(4, 2, 6));
  const Finish drain =
      site.drain({"--endpoint", nginx.endpoint(), "--rate-limit", GetParam().limit});
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  EXPECT_EQ(site.unfinished(), 0);
  const std::vector<Nginx::Request> requests = nginx.stop();
  std::set<std::string> entities, ids;
  for (const Nginx::Request& request : requests) {
    if (request.method != "POST") continue;
    entities.insert(request.uri + " " + request.entity);
    EXPECT_TRUE(ids.insert(request.dsp_id).second);
  }
  EXPECT_EQ(ids.size(), kEntities);
  EXPECT_EQ(entities.size(), kEntities);
  EXPECT_GE(requests.size(), 2 * kEntities);
  // nginx's own clock of milliseconds stands still while it works: a little less than a window.
  EXPECT_LE(most_within(requests, 0.98), GetParam().most);
}

INSTANTIATE_TEST_SUITE_P(Nginx, NeutralServer,
                         testing::Values(Run{"plain", "none"}, Run{"plain", "60/60s", 60},
                                         Run{"js", "none"}, Run{"js", "60/60s", 60}),
                         [](const auto& test) {
                           return test.param.variant + (test.param.most == SIZE_MAX
                                                            ? "_without_a_limit"
                                                            : "_within_a_limit");
                         });

}  // namespace
}  // namespace dl::e2e
