; A program of several segments that is linked at 0 and runs at 0x20000, in 32-bit mode: it adds up what
; its two tables say, and halts.
;
; A debugger with the file's symbols and the right offset should find `start`, `add_up` (in a section of
; its own), `weights` and `counts` (read-only and not) and `total` (no bytes in the file), and 32 in
; `total` in the end.

	bits 32
	global start, main, add_up:function, weights, counts, total
base	equ 0x20000

	section .text
start:	mov esi, base
	mov ecx, 3
main:	call add_up
	loop main
	hlt

	section .init.text progbits alloc exec nowrite
add_up:	mov eax, [esi + ecx * 4 + weights - 4]
	mul dword [esi + ecx * 4 + counts - 4]
	add [esi + total], eax
	ret

	section .rodata
weights: dd 1, 2, 3

	section .data
counts:	dd 4, 5, 6

	section .bss
total:	resd 1
