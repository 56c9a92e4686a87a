#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"

// quorate: one program, a subcommand for each job. Exit codes of `serve` are Apache's (operations 1.1).
int main(int argc, char** argv) {
  using namespace quorate::cli;
  // The load generator has options of its own.
  if (argc > 1 && std::string(argv[1]) == "bench") return bench(argc - 1, argv + 1);

  CLI::App app("Quorate: a coordination service in the place of Apache ZooKeeper.", "quorate");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.add_subcommand("bench", "Load generator; `quorate bench --help`");
  int code = 0;

  std::vector<std::string> serve_arguments;
  std::vector<std::string> properties;
  CLI::App* serve_command = app.add_subcommand(
      "serve",
      "Serve clients: with a zoo.cfg, with `PORT DATADIR [TICKTIME] [MAXCNXNS]`, or on 127.0.0.1:2181 from ./data");
  serve_command->add_option("ARGUMENT", serve_arguments, "zoo.cfg, or port and data directory");
  const auto take_properties = [&properties](CLI::App* command) {
    command->add_option("-D", properties, "name=value, as a Java property")->allow_extra_args(false);
  };
  take_properties(serve_command);
  serve_command->callback([&] { code = serve(serve_arguments, properties); });

  EnsembleOptions local;
  CLI::App* ensemble_command =
      app.add_subcommand("ensemble", "Run a local ensemble for development: its servers are child processes");
  ensemble_command->add_option("--servers", local.servers, "how many")->capture_default_str();
  ensemble_command->add_option("--dir", local.directory, "their files, one folder a server")->capture_default_str();
  ensemble_command->add_option("--client-port", local.client_port, "of server 1; the others have the next ones")
      ->capture_default_str();
  ensemble_command->callback([&] { code = ensemble(local); });

  CLI::App* config = app.add_subcommand("config", "Look at configuration without starting anything");
  config->require_subcommand(1);
  std::string file;
  CLI::App* check = config->add_subcommand("check", "Report every error of a zoo.cfg; exit code as `serve`");
  check->add_option("FILE", file)->required();
  take_properties(check);
  check->callback([&] { code = config_check(file, properties); });
  config->add_subcommand("keys", "List every key")->callback([&] { code = config_keys(); });
  config->add_subcommand("reference", "Print docs/operations/configuration.md")->callback([&] {
    code = config_reference();
  });

  CLI::App* log = app.add_subcommand("log", "Transaction log files");
  log->require_subcommand(1);
  CLI::App* repair = log->add_subcommand("repair", "Cut a log file at its first damaged record");
  repair->add_option("FILE", file)->required();
  repair->callback([&] { code = log_repair(file); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return code;
}
