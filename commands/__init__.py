"""The command `pullstats`: load, status, query and setup."""
