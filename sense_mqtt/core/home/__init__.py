"""What is known of one home: its state, its devices, how it is stored."""
