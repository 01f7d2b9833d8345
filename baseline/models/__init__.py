"""What is normal, as probabilities: one model a file, each a pure function of counts that says what it rests on."""
