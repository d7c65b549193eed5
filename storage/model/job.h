// The nouns: kinds of entity, their names at the DSP, and the hierarchical key that identifies a
// job. Pure values and functions; callable from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dl {

enum class JobKind { campaign, ad_group, ad };

struct KindNames {
  JobKind kind;
  std::string_view name;        // in SQL, logs and messages: ad_group
  std::string_view collection;  // in the DSP's paths: ad-groups
  // in the DSP's answers, and in a child's body for its parent: ad_group_id
  std::string_view id_field;
};

inline constexpr KindNames kKinds[] = {
    {JobKind::campaign, "campaign", "campaigns", "campaign_id"},
    {JobKind::ad_group, "ad_group", "ad-groups", "ad_group_id"},
    {JobKind::ad, "ad", "ads", "ad_id"},
};

constexpr const KindNames& names_of(JobKind kind) { return kKinds[static_cast<int>(kind)]; }
std::optional<JobKind> kind_named(std::string_view name);

// The key of a job: the caller's ids from the root down, joined by '/'. A '/' or '%' inside an id
// is percent-encoded, so two different paths never give one key. `path`: one to three non-empty ids
// (campaign, ad group, ad). Example: {"c1", "ag/1"} -> "c1/ag%2F1".
std::string job_key(const std::vector<std::string_view>& path);
// The inverse: the caller's ids from the root down.
std::vector<std::string> job_path(std::string_view key);

}  // namespace dl
