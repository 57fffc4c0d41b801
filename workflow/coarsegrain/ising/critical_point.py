"""Where the infinite lattice is critical."""

#: Critical inverse temperature, ½ ln(1 + √2) (Onsager 1944), J = k_B = 1. The nearest float64 to it
#: in digits, since a logarithm may round differently on another machine.
BETA_CRITICAL = 0.4406867935097715
