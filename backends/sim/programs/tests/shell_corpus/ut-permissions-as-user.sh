# Needs root.
# What the bits of permissions keep from root, which is little. (setpriv and su are not simulated.)
umask 022; mkdir d; echo x > d/f; chmod 700 d; chmod 000 d/f; ls -ld d/f | cut -c1-10; stat -c '%a %A' d d/f; cat d/f; chmod u+r d/f; cat d/f
mkdir -m 1777 t; stat -c %A t; touch t/x; chmod a-w t/x; rm -f t/x; ls t; umask 777; touch none; stat -c %a none; mkdir dnone; stat -c %a dnone; umask 022; rm -r none dnone d; ls
