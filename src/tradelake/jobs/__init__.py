"""Work that runs by itself or once in a while: thin functions over the book."""
