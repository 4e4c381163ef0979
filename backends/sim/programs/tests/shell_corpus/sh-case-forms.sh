case a in a) ;; esac; echo $?
case a in b) false;; esac; echo $?
case a in (a) echo paren;; esac
case a in
esac
echo $?
case a in a) false;; esac; echo $?
case if in if) echo kw;; esac
x='a*'
case abc in $x) echo unq;; esac
case abc in "$x") echo no;; *) echo q;; esac
case 'a*' in "$x") echo lit;; esac
case "$(echo sub)" in s*b) echo ok;; esac
case a in a|b|c) echo alt;; esac
case x in a) echo a;; x) echo x;; x) echo second;; esac
