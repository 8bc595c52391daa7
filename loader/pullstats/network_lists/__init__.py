"""Lists that say whose network is whose, for the table `networks`."""
