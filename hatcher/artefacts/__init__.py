"""What local files say of themselves, read and checked before anything is sent."""
