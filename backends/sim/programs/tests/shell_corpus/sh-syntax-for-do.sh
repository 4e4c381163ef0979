for i in a; echo $i; done
