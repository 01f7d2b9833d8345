"""How the `custodiet` command opens the investigator: one file a subcommand."""
