"""What the `custodiet` command judges and sends: one file a subcommand."""
