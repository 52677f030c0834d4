; A boot sector that loads a glyph for A as many programs do: where the text is, at B8000, with plane 2 alone there for the
; moment. It reads it back by A0000, and looks whether the text is as before; a dot for each that is so, an x if not. Then it
; prints with it.
;
; A debugger should see the letter with stripes on the screen.

	bits 16
	org 0x7c00

%macro set 3				; port, index, value
	mov dx, %1
	mov ax, %3 << 8 | %2
	out dx, ax
%endmacro
%macro told 0
	mov al, '.'
	je %%good
	mov al, 'x'
%%good:	out 0xe9, al
%endmacro
sequencer equ 0x3c4
graphics equ 0x3ce

	mov ax, 3
	int 0x10
	mov ax, 0xb800
	mov es, ax
	mov word [es:0], 0x1e2a
	set sequencer, 2, 0x04		; plane 2
	set sequencer, 4, 0x06		; all addresses in each plane
	set graphics, 4, 0x02
	set graphics, 5, 0x00
	set graphics, 6, 0x0c		; still at B8000
	cld
	mov di, 'A' * 32
	mov al, 0xaa
	mov cx, 16
	rep stosb
	cmp byte [es:'A' * 32 + 15], 0xaa
	told
	set graphics, 6, 0x04		; at A0000
	mov ax, 0xa000
	mov ds, ax
	cmp byte [ds:'A' * 32 + 15], 0xaa
	told
	set graphics, 6, 0x0e
	set graphics, 5, 0x10
	set graphics, 4, 0x00
	set sequencer, 4, 0x02
	set sequencer, 2, 0x03
	cmp word [es:0], 0x1e2a
	told
	cmp byte [es:'A' * 32 + 14], ' '
	told
	mov ax, 0x0e41
	int 0x10
	cli
	hlt

	times 510 - ($ - $$) db 0
	dw 0xaa55
