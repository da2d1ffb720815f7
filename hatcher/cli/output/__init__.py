"""What is written: data on standard output, words on standard error."""
