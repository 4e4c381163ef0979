touch a b c; mkdir -p d/s; echo x > d/s/f
rm -i a < /dev/null; echo; ls
echo y | rm -i a; echo; ls
printf 'n\n' | rm -i b; echo; ls
printf 'y\ny\ny\ny\ny\n' | rm -ri d; echo; ls
rm -I b c < /dev/null; ls
touch 1 2 3 4; echo n | rm -I 1 2 3 4; echo; ls
echo y | rm -I 1 2 3 4; echo; ls
mkdir k; echo n | rm -rI k; echo; ls
rm --interactive=bogus k; echo $?
