"""What is there by its hashes, written down: in a folder, in an archive, on its own."""
