#pragma once
#include <string>
#include <vector>

#include "cli/local_ensemble.h"

/// What the subcommands do; each returns the process's exit code.
namespace quorate::cli {

std::string version_text();
int serve(const std::vector<std::string>& arguments, const std::vector<std::string>& properties);
int config_check(const std::string& file, const std::vector<std::string>& properties);
int config_keys();
int config_reference();
int log_repair(const std::string& file);
/// Runs a local ensemble until it is told to stop.
int ensemble(const EnsembleOptions& options);
int bench(int argc, char** argv);

}  // namespace quorate::cli
