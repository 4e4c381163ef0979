//! One QEMU process, from its start to its end.
