x=$(echo $(echo $(echo $(echo $(echo $(echo $(echo $(echo bottom))))))))
echo $x
(((((((((echo parens)))))))))
{ { { { { { echo braces; }; }; }; }; }; }
if true; then if true; then if true; then if true; then echo ifs; fi; fi; fi; fi
echo ${a-${b-${c-${d-${e-${f-default}}}}}}
echo "$(echo "$(echo "$(echo "quotes  kept")")")"
for a in 1; do for b in 1; do for c in 1; do for d in 1; do echo loops; done; done; done; done
case a in a) case b in b) case c in c) echo cases;; esac;; esac;; esac
