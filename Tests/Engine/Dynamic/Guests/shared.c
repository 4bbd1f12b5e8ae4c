int shared = 16;
