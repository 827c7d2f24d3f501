/* Starts a C program with newlib on an emulated Cortex-M0. RAM is zeros when the emulator starts. */

#include <stdlib.h>

extern int main(void);
extern void initialise_monitor_handles(void);

void reset(void) {
    initialise_monitor_handles();
    exit(main());
}
