"""One program per rule: reads inputs and spec, calls the library, writes outputs."""
