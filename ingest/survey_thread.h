// A survey in a thread of its own, beside which its sheet is loaded ahead (load.h). Thread rule:
// one thread, but for has_doubts(). Ownership: borrows the file.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "ingest/survey.h"

namespace dl {

// What load_ahead() has to know of a survey that goes on meanwhile.
class OngoingSurvey {
 public:
  virtual ~OngoingSurvey() = default;
  // Has it found what a sheet that is loaded ahead must not have? Any thread.
  virtual bool has_doubts() const = 0;
  // Waits for its end. Errors: as survey().
  virtual const Result<Survey>& found() = 0;
};

class SurveyThread final : public OngoingSurvey {
 public:
  // `waiting` is told how far it is by whoever waits for it. `dsp_ids`: as of survey(), borrowed,
  // and used in that thread alone.
  SurveyThread(const InputFile& file, InputFormat format, OnError policy, ProgressSink waiting,
               DspIdCheck* dsp_ids = nullptr);
  ~SurveyThread() override;  // waits for its end
  SurveyThread(const SurveyThread&) = delete;
  SurveyThread& operator=(const SurveyThread&) = delete;

  // Waits until it has seen so many rows: true. False: it has doubts, or has ended before.
  bool is_well_after(std::int64_t rows);
  // From now on the processor is for others first: whoever writes meanwhile is waited for longer.
  void give_way();
  bool has_doubts() const override { return has_doubts_; }
  const Result<Survey>& found() override;
  std::int64_t bytes_read();

  // found(), to be kept; once, and nothing but the destructor after it.
  Result<Survey> take();

 private:
  void run(const InputFile& file, InputFormat format, OnError policy, DspIdCheck* dsp_ids);
  void wait(std::unique_lock<std::mutex>& lock);

  ProgressSink waiting_;
  std::atomic<bool> has_doubts_ = false;

  // Guards what follows.
  std::mutex mutex_;
  std::condition_variable changed_;
  pid_t thread_id_ = 0;  // from the beginning of run() on
  SurveySoFar so_far_;
  std::optional<Result<Survey>> found_;  // not written to after it is there
  std::exception_ptr trouble_;           // what the survey threw; found() throws it again

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace dl
