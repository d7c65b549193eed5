#include "ingest/survey_thread.h"

#include <sys/resource.h>
#include <unistd.h>

namespace dl {
namespace {

constexpr int kNice = 10;

}  // namespace

SurveyThread::SurveyThread(const InputFile& file, InputFormat format, OnError policy,
                           ProgressSink waiting, DspIdCheck* dsp_ids)
    : waiting_(std::move(waiting)),
      thread_([this, &file, format, policy, dsp_ids] { run(file, format, policy, dsp_ids); }) {}

SurveyThread::~SurveyThread() { thread_.join(); }

void SurveyThread::run(const InputFile& file, InputFormat format, OnError policy,
                       DspIdCheck* dsp_ids) {
  {
    const std::lock_guard lock(mutex_);
    thread_id_ = ::gettid();
  }
  std::optional<Result<Survey>> found;
  std::exception_ptr trouble;
  try {
    found.emplace(survey(
        file, format, policy,
        [this](const SurveySoFar& so_far) {
          if (so_far.is_doubtful) has_doubts_ = true;
          {
            const std::lock_guard lock(mutex_);
            so_far_ = so_far;
          }
          changed_.notify_all();
        },
        dsp_ids));
  } catch (...) {
    trouble = std::current_exception();  // it is the caller's who asks what was found
    found.emplace(Error{Errc::software, "the survey failed"});
    has_doubts_ = true;
  }
  const std::lock_guard lock(mutex_);
  found_ = std::move(found);
  trouble_ = trouble;
  changed_.notify_all();
}

void SurveyThread::give_way() {
  const std::lock_guard lock(mutex_);
  if (thread_id_ == 0 || found_) return;
  // of this thread alone, on Linux
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id_), kNice);
}

// For news.
void SurveyThread::wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock);
  const std::int64_t bytes = so_far_.bytes;
  lock.unlock();
  waiting_(bytes);
  lock.lock();
}

bool SurveyThread::is_well_after(std::int64_t rows) {
  std::unique_lock lock(mutex_);
  while (!found_ && !so_far_.is_doubtful && so_far_.rows < rows) wait(lock);
  return !found_ && !so_far_.is_doubtful;
}

const Result<Survey>& SurveyThread::found() {
  std::unique_lock lock(mutex_);
  while (!found_) wait(lock);
  if (trouble_) std::rethrow_exception(trouble_);
  return *found_;
}

std::int64_t SurveyThread::bytes_read() {
  const std::lock_guard lock(mutex_);
  return so_far_.bytes;
}

Result<Survey> SurveyThread::take() {
  found();
  return std::move(*found_);
}

}  // namespace dl
