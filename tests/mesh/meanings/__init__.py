"""Small interpreters of what the meshes' documentation says their objects mean; the compilers are held against them."""
