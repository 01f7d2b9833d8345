"""What the `custodiet` command tells of what is normal: one file a subcommand."""
