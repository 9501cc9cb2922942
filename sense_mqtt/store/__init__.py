"""What survives a restart: the files of the state directory, and the journal, which is one of them."""
