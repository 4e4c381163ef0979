printf 1 > a; printf 333 > b; printf 22 > c.txt; printf 22 > d.c
touch -d 2020-01-03 a; touch -d 2020-01-01 b; touch -d 2020-01-02 c.txt d.c
ls -S; ls -Sr; ls -t; ls -tr; ls -X; ls --sort=size; ls --sort=time; ls --sort=extension; ls --sort=none | sort; ls --sort=width
touch x1 x10 x2 x9; ls -v; ls --sort=version -r
touch -a -d 2021-01-01 b; touch -a -d 2022-01-01 a; ls -u a b; ls -ut a b; ls -lut a b | wc -l
mkdir q1 q2; touch -d 2020-01-01 q1; touch -d 2020-01-02 q2; ls -dt q1 q2; ls -t q1 q2
