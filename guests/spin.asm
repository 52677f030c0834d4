; Says "spinning" and spins, with the same bytes in 16-, 32- and 64-bit mode.
;
; A debugger should see, when it interrupts it, one of the two instructions of the last loop, from 0x1024 on.

	bits 32
	org 0x1000

%macro say 1-*
%rep %0
	mov al, %1
	out 0xe9, al
%rotate 1
%endrep
%endmacro
	say 's', 'p', 'i', 'n', 'n', 'i', 'n', 'g', 10
again:	nop
	jmp again
