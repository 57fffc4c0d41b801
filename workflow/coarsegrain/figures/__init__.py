"""One function per figure: data in, matplotlib Figure out."""
