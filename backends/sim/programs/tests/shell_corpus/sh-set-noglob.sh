: >gf1
set -f; echo gf*; set +f; echo gf*
set -o noglob; echo gf*; set +o noglob; echo gf*
