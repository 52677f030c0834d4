; A boot sector that prints what the BIOS and the CMOS memory say of a PC: the equipment, the sizes of
; memory and its map, the clock; then it waits, and switches the PC off.
;
; A debugger, or the console, should see the lines of tests/cli/services.sh, then "powered off".

	bits 16
	org 0x7c00

; A character, then AX in hexadecimal.
%macro show 1
	push %1
	call print
%endmacro

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld

	int 0x11
	show 'E'
	int 0x12			; KiB of base memory
	show ' '
	mov ah, 0x88			; KiB above 1 MiB
	int 0x15
	show ' '
	mov ax, 0xe801			; up to 16 MiB, and 64 KiB above that
	int 0x15
	push bx
	show ' '
	pop ax
	show ' '

	xor ebx, ebx			; the map: a line each, of start, size and type
map:	mov di, row
	mov edx, 'PAMS'
	mov eax, 0xe820
	mov ecx, 24
	int 0x15
	jc mapped
	mov si, row + 4			; of the starts and sizes only 32 bits
	mov bp, 'M'
	call double
	mov si, row + 12
	call double
	mov ax, [row + 16]
	show ' '
	mov ax, cx			; bytes of the entry
	show ' '
	test ebx, ebx
	jnz map
mapped:
	mov ah, 0x04			; the date
	int 0x1a
	mov ax, cx
	show 'D'
	mov ax, dx
	show ' '
	mov al, 0x32			; the century and the year in the clock's own memory
	call cmos
	mov ah, al
	mov al, 0x09
	call cmos
	show ' '
	mov al, 0x16			; base memory there
	call cmos
	mov ah, al
	mov al, 0x15
	call cmos
	show ' '

	xor ah, ah			; ticks in a wait of 2 seconds
	int 0x1a
	push dx
	mov cx, 2000000 >> 16
	mov dx, 2000000 & 0xffff
	mov ah, 0x86
	int 0x15
	xor ah, ah
	int 0x1a
	pop bx
	sub dx, bx
	mov ax, dx
	show 'T'
	mov ah, 0x02			; the time
	int 0x1a
	push dx
	mov ax, cx
	show ' '
	pop ax
	show ' '
	mov ax, 0x5307
	mov bx, 1
	mov cx, 3
	int 0x15
	hlt

cmos:	out 0x70, al
	in al, 0x71
	ret

; A double word whose high half is at SI - 2, behind the character in BP.
double:	mov ax, [si - 2]
	show bp
	mov ax, [si - 4]
	call hex
	mov bp, ' '
	ret

print:	pusha
	mov bp, sp
	push ax
	mov al, [bp + 18]
	cmp al, ' '
	je inline
	push ax
	mov al, 10
	call out
	pop ax
inline:	call out
	pop ax
	call hex
	popa
	ret 2

hex:	pusha
	mov cx, 4
digit:	rol ax, 4
	push ax
	and al, 0xf
	add al, '0'
	cmp al, '9'
	jbe decimal
	add al, 'a' - '9' - 1
decimal: call out
	pop ax
	loop digit
	popa
	ret

out:	mov ah, 0x0e
	xor bx, bx
	int 0x10
	ret

	times 510 - ($ - $$) db 0
	dw 0xaa55
row:
