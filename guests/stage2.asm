; A boot sector that asks INT 13h for its extensions and loads a second stage of 64 sectors by AH=42h, from LBA 4 to
; 2000:0000, which prints what it finds at its end. (disk.asm loads one by cylinder, head and sector.)
;
; A debugger should see nothing but zeros at 0x20000 before the INT 13h at 0x7c1f, and the second stage's code behind
; it; a breakpoint at 0x20000 that is set before holds.

	bits 16
	org 0x7c00

LBA	equ 4
SECTORS	equ 64

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov [drive], dl
	mov ah, 0x41		; leaves the version in AH
	mov bx, 0x55aa
	int 0x13
	mov ah, 0x42
	jc .failed
	mov dl, [drive]
	mov si, packet
	int 0x13
	jnc .stage
.failed: mov al, 'E'
	mov ah, 0x0e
	int 0x10
	cli
	hlt
.stage:	jmp 0x2000:0

	align 4
packet:	db 16, 0
	dw SECTORS
	dw 0, 0x2000
	dq LBA
drive:	db 0

	times 510 - ($ - $$) db 0
	dw 0xaa55

	times LBA * 512 - ($ - $$) db 0
stage:	mov ax, cs
	mov ds, ax
	mov si, text - stage
.next:	lodsb
	test al, al
	jz .end
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp .next
.end:	cli
	hlt

	times (SECTORS - 1) * 512 - ($ - stage) db 0
text:	db 'the second stage, to its last sector', 0
	times SECTORS * 512 - ($ - stage) db 0
