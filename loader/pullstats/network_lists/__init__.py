"""Lists of networks and their owners, for the table `networks`."""
