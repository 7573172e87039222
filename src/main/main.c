#include <stdio.h>
int main(void) {
    puts("bourse " BOURSE_VERSION);
    return 0;
}
