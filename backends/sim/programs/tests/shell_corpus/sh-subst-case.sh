x=$(case a in a) echo one;; b) echo two;; esac)
echo $x
echo $(case x in (x) echo paren;; esac) $(if true; then echo yes; fi) $(for i in 1 2; do echo $i; done)
echo $( (echo sub) ) $({ echo group; })
