"""What is wrong with the data as it arrived."""
