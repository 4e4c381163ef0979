# Two removals of one tree: together they remove it, each error is about a file the other was faster with.
mkdir -p t/a/b t/c; for i in 1 2 3 4 5; do touch t/a/$i t/a/b/$i t/c/$i; done
rm -rf t & rm -rf t & wait; ls
mkdir -p u; for i in 1 2 3 4 5; do touch u/$i; done; find u -type f -delete & find u -type f -delete 2>/dev/null & wait; find u -type f | wc -l
