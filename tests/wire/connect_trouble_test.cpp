#include "daemon/dsp/connect_trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace dl {
namespace {

using testing::HasSubstr;

TEST(ConnectTroubleOf, BlamesThisMachineForWhatItLacksAndTheDspForTheRest) {
  EXPECT_EQ(connect_trouble_of(EMFILE), ConnectTrouble::open_files);
  EXPECT_EQ(connect_trouble_of(ENFILE), ConnectTrouble::open_files);
  EXPECT_EQ(connect_trouble_of(ENOBUFS), ConnectTrouble::memory);
  EXPECT_EQ(connect_trouble_of(ENOMEM), ConnectTrouble::memory);
  EXPECT_EQ(connect_trouble_of(EADDRNOTAVAIL), ConnectTrouble::ports);
  for (const int of_the_way :
       {ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EADDRINUSE, 0}) {
    EXPECT_EQ(connect_trouble_of(of_the_way), ConnectTrouble::dsp) << of_the_way;
  }
}

TEST(ConnectTroubleOf, SaysWhatToDoWhereThisMachineLacksSomething) {
  EXPECT_THAT(advice_on(ConnectTrouble::open_files), HasSubstr("ulimit -n"));
  EXPECT_THAT(advice_on(ConnectTrouble::memory), HasSubstr("tcp_mem"));
  EXPECT_THAT(advice_on(ConnectTrouble::ports), HasSubstr("ip_local_port_range"));
  EXPECT_EQ(advice_on(ConnectTrouble::dsp), "");
  EXPECT_EQ(advice_on(ConnectTrouble::credentials), "") << "its own words say all";
}

}  // namespace
}  // namespace dl
