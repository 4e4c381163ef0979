umask 022; umask; umask -S; umask 77; umask; umask u=rwx,g=rx,o=; umask; umask -S
umask g+w; umask; umask a-x; umask
umask 9; echo $?; umask u=q; echo $?
umask 027; : >f; mkdir d; ls -ld f d | cut -c1-10
(umask 0; umask); umask
