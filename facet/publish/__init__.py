"""What goes out into the world with a tuned model: its card, its curve, and later its repository on the Hub."""
