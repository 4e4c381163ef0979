if true; then echo a; fi
if false; then echo b; else echo c; fi
if false; then echo d; elif true; then echo e; else echo f; fi
if false; then echo g; elif false; then echo h; fi
echo $?
if true
then
echo i
fi
if ! false; then echo j; fi
if true && false; then echo k; else echo l; fi
if (exit 3); then :; else echo $?; fi
if true; then false; fi; echo $?
if if true; then false; fi; then echo m; else echo n; fi
