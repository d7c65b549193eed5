#include <chrono>
#include <cstdio>

#include "ingest/commands.h"
#include "ingest/write_target.h"
#include "storage/archive.h"
#include "storage/free_space.h"
#include "storage/model/duration.h"

namespace dl {
namespace {

std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string mebibytes(std::int64_t bytes) {
  constexpr std::int64_t kMebibyte = 1024 * 1024;
  return std::to_string((bytes + kMebibyte / 2) / kMebibyte) + " MiB";
}

std::int64_t rows_of(const std::vector<ArchiveBatch>& batches) {
  std::int64_t rows = 0;
  for (const ArchiveBatch& batch : batches) rows += batch.rows;
  return rows;
}

void print_plan(const ArchivePlan& plan, const Options& options) {
  std::printf(
      "%zu of %zu batches (%s, and payload, requests and history of %s) would go to %s; %zu stay, "
      "because\n"
      "something of them, or of what they share trees with, is not finished, or was touched in the "
      "last %s\n",
      plan.going.size(), plan.going.size() + plan.staying.size(),
      counted(rows_of(plan.going), "row").c_str(), counted(plan.jobs, "job").c_str(),
      options.archive_file.c_str(), plan.staying.size(),
      format_duration(options.older_than).c_str());
}

void print_space(const FreeSpace& space) {
  if (space.given_back_bytes > 0) {
    std::printf("given back to the file system: %s\n", mebibytes(space.given_back_bytes).c_str());
  }
  if (space.left_bytes > 0) {
    std::printf(
        "free inside the file, and used again by what is loaded next: %s; VACUUM while nothing "
        "else has it "
        "open shortens the file\n",
        mebibytes(space.left_bytes).c_str());
  }
}

Result<int> archive(const Options& options) {
  const Result<WriteTarget> target = open_to_write(options.db, OpenMode::existing);
  if (!target) return target.error();
  Database& database = *target->database;
  const std::int64_t now = wall_clock_ms();
  const Result<ArchivePlan> plan = plan_archive(database, options.older_than, now);
  if (!plan) return plan.error();
  if (options.archive_mode == ArchiveMode::say_only) {
    print_plan(*plan, options);
    return 0;
  }
  const Result<ArchiveCounts> moved = carry_out(*plan, database, options.archive_file, now);
  if (!moved) return moved.error();
  std::printf("%s: %lld of %zu batches with %s, and payload, requests (%lld) and history of %s\n",
              options.archive_file.c_str(), static_cast<long long>(moved->batches),
              plan->going.size() + plan->staying.size(), counted(moved->rows, "row").c_str(),
              static_cast<long long>(moved->requests), counted(moved->jobs, "job").c_str());
  const Result<FreeSpace> space = give_space_back(database);
  if (!space) return space.error();
  print_space(*space);
  return 0;
}

}  // namespace

int run_archive(const Options& options) {
  print_database(options);
  const Result<int> code = archive(options);
  return code ? *code : complain(code.error());
}

}  // namespace dl
