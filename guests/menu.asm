; A boot sector with a menu: the arrow keys move the mark, Enter takes what is marked, and so does a digit. The entries
; print, boot again by INT 19h, and switch the PC off.
;
; A debugger should see the number of the marked entry, from 0, in `marked` (0x7c02) at each return to `choose`
; (0x7c18), and the entry's own code behind the jump at `take`.

	bits 16
	org 0x7c00

	jmp short start
marked:	db 0
	db 0

start:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov byte [marked], 0
	mov ax, 0x0003		; an empty screen
	int 0x10
	cld

choose:	xor bl, bl		; at 0x7c18: draws the entries, the marked one in reverse
	mov si, names
.entry:	mov dh, bl
	add dh, 2
	mov cl, 0x07
	cmp bl, [marked]
	jne .draw
	mov cl, 0x70
.draw:	call put
	inc bl
	cmp bl, ENTRIES
	jb .entry

	mov ah, 0
	int 0x16
	cmp ah, 0x48		; up
	je .up
	cmp ah, 0x50		; down
	je .down
	cmp al, 13
	je take
	sub al, '1'
	cmp al, ENTRIES
	jae choose
	mov [marked], al
	jmp take
.up:	dec byte [marked]
	jns choose
	mov byte [marked], ENTRIES - 1
	jmp choose
.down:	inc byte [marked]
	cmp byte [marked], ENTRIES
	jb choose
	mov byte [marked], 0
	jmp choose

take:	mov bl, [marked]
	mov bh, 0
	add bx, bx
	jmp [bx + code]

hello:	mov si, text
	mov dh, 6
	mov cl, 0x07
	call put
	jmp choose
again:	int 0x19
off:	mov ax, 0x5307
	mov bx, 1
	mov cx, 3
	int 0x15

; The string at SI, which is then behind it, in row DH and with the attribute CL.
put:	pusha
	mov dl, 4
.next:	mov ah, 2
	mov bh, 0
	int 0x10
	lodsb
	test al, al
	jz .end
	mov ah, 9
	mov bl, cl
	push cx
	mov cx, 1
	int 0x10
	pop cx
	inc dl
	jmp .next
.end:	mov bp, sp
	mov [bp + 2], si	; what POPA puts into SI
	popa
	ret

ENTRIES	equ 3
code:	dw hello, again, off
names:	db '1 Hello', 0, '2 Boot again', 0, '3 Switch off', 0
text:	db 'Hello from the menu', 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
