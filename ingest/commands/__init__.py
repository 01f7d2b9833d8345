"""What the `custodiet` command does with logs: one file a subcommand."""
