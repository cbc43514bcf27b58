/* The check of registers.h for the switch in assembly, on a processor that only an emulator has. */
#include "../registers.h"

#include <stdio.h>

int main(void)
{
    const char *wrong = registers_check(&context_assembly, true);
    if (wrong)
        printf("not kept: %s\n", wrong);
    else
        printf("all kept\n");
    return wrong != NULL;
}
